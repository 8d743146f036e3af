/** Command lines as Kubernetes' own programs read and explain theirs. */
@NullMarked
package io.apiserverupdater.apiserver.flags;

import org.jspecify.annotations.NullMarked;
