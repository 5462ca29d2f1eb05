package dev.socifleet.fetchcache.store;

import dev.socifleet.oci.Digest;

/** That a value is in this blob from this byte on; its length is the value's. */
public record Proof(Digest blob, long start) {}
