/**
 * The only importer of the Kubernetes client library: adapters for the ports of the other packages.
 */
@NullMarked
package io.apiserverupdater.updater.kube;

import org.jspecify.annotations.NullMarked;
