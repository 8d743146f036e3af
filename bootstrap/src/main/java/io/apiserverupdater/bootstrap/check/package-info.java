/** What {@code check} does: facts are gathered; rules without any I/O make findings of them. */
@NullMarked
package io.apiserverupdater.bootstrap.check;

import org.jspecify.annotations.NullMarked;
