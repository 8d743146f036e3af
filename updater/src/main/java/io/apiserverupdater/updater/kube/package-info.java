/** Adapters for the ports of other packages; the only importer of the Kubernetes client. */
@NullMarked
package io.apiserverupdater.updater.kube;

import org.jspecify.annotations.NullMarked;
