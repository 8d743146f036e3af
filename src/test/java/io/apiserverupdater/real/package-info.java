/**
 * The updater on a real control plane: its jar, as processes with the rights of {@code
 * deploy/kustomize/base} and no others, judged by what the API server holds and has audited, and by
 * requests that workers make through the Service.
 */
@NullMarked
package io.apiserverupdater.real;

import org.jspecify.annotations.NullMarked;
