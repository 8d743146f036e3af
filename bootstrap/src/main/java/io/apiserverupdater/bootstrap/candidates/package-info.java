/** The control planes to try at boot: the configured ones and those last seen. */
@NullMarked
package io.apiserverupdater.bootstrap.candidates;

import org.jspecify.annotations.NullMarked;
