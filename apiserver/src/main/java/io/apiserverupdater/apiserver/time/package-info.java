/** Deadlines, and the backoff between attempts. */
@NullMarked
package io.apiserverupdater.apiserver.time;

import org.jspecify.annotations.NullMarked;
