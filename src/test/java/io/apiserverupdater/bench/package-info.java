/**
 * Benchmarks on the real control plane. What they print is measured in the same run; nothing here
 * is a test.
 */
@NullMarked
package io.apiserverupdater.bench;

import org.jspecify.annotations.NullMarked;
