/** Kubeconfig files: which apiserver, by whose certificate, and as whom. */
@NullMarked
package io.apiserverupdater.apiserver.kubeconfig;

import org.jspecify.annotations.NullMarked;
