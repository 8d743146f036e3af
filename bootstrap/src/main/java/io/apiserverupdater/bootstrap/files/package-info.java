/** Writes files so that they survive a crash, a power loss, a full disk; one writer at a time. */
@NullMarked
package io.apiserverupdater.bootstrap.files;

import org.jspecify.annotations.NullMarked;
