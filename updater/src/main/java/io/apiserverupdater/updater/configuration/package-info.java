/** Flags and environment: parsed and checked, without side effects. */
@NullMarked
package io.apiserverupdater.updater.configuration;

import org.jspecify.annotations.NullMarked;
