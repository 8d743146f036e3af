/**
 * What the updater tells Prometheus: the only package that knows its client library. It listens at
 * the ports of the others, and asks them for their state when somebody scrapes.
 */
@NullMarked
package io.apiserverupdater.updater.metrics;

import org.jspecify.annotations.NullMarked;
