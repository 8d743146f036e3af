/** The source, the actual and the desired state: values and rules, no I/O. */
@NullMarked
package io.apiserverupdater.updater.endpoints;

import org.jspecify.annotations.NullMarked;
