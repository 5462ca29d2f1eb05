package dev.socifleet.cli.convert;

import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.build.IndexRules;

/** What is converted, and how. */
record ConversionRequest(PlatformChoice platforms, IndexRules rules) {}
