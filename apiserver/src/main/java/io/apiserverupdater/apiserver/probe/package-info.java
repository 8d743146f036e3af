/** Asks one apiserver GET /readyz, over sockets of its own: JDK only, no logging. */
@NullMarked
package io.apiserverupdater.apiserver.probe;

import org.jspecify.annotations.NullMarked;
