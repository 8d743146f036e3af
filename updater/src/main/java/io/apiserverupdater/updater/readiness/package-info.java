/** Probes each member continuously and reports when its readiness changes. */
@NullMarked
package io.apiserverupdater.updater.readiness;

import org.jspecify.annotations.NullMarked;
