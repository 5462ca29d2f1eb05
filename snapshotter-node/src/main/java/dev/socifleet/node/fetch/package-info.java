/** Where compressed bytes come from: the fleet cache, else the registry. */
@NullMarked
package dev.socifleet.node.fetch;

import org.jspecify.annotations.NullMarked;
