/** Flags and configuration file: parsed and checked, without side effects. */
@NullMarked
package io.apiserverupdater.bootstrap.configuration;

import org.jspecify.annotations.NullMarked;
