/**
 * The HTTP server for {@code /livez}, {@code /readyz}, {@code /metrics} and documents that others
 * supply.
 */
@NullMarked
package io.apiserverupdater.updater.server;

import org.jspecify.annotations.NullMarked;
