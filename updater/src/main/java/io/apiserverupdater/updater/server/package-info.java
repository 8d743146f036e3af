/** The HTTP server for {@code /livez}, {@code /readyz} and {@code /metrics}. */
@NullMarked
package io.apiserverupdater.updater.server;

import org.jspecify.annotations.NullMarked;
