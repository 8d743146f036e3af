/** Files that survive a crash, a power loss and a full disk; and one writer at a time. */
@NullMarked
package io.apiserverupdater.bootstrap.files;

import org.jspecify.annotations.NullMarked;
