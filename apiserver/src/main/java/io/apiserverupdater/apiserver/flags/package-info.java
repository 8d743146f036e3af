/** Typed command-line flags in the style of Kubernetes' own programs, and their help. */
@NullMarked
package io.apiserverupdater.apiserver.flags;

import org.jspecify.annotations.NullMarked;
