/** How long to wait for an apiserver, and how long to wait before it is asked again. */
@NullMarked
package io.apiserverupdater.apiserver.time;

import org.jspecify.annotations.NullMarked;
