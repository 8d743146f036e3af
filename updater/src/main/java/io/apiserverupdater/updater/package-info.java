/** The updater: keeps the {@code apiserver} Service in step with the control planes. */
@NullMarked
package io.apiserverupdater.updater;

import org.jspecify.annotations.NullMarked;
