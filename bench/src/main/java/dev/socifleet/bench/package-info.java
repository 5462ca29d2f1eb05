/**
 * Benchmarks. {@code bench/run} starts them: {@link dev.socifleet.bench.LayerBench} measures whole
 * layers and prints the table, the classes named …Benchmark are for JMH.
 */
@NullMarked
package dev.socifleet.bench;

import org.jspecify.annotations.NullMarked;
