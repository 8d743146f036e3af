/** Command lines as Kubernetes' own programs read and explain theirs. */
@NullMarked
package io.apiserverupdater.commandline;

import org.jspecify.annotations.NullMarked;
