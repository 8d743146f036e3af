/**
 * Is the apiserver at this address ready? Shared by the updater and the bootstrap; JDK only, no
 * logging.
 */
@NullMarked
package io.apiserverupdater.apiserver.probe;

import org.jspecify.annotations.NullMarked;
