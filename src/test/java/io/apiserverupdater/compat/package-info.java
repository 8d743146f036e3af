/**
 * Which Kubernetes the project works with: the core of the real tier, run on each supported minor
 * version by {@code ./bench compat}, and the table of docs/compatibility.md that is made of it.
 */
@NullMarked
package io.apiserverupdater.compat;

import org.jspecify.annotations.NullMarked;
