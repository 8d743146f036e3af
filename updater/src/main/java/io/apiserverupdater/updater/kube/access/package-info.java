/** Who the updater is and where the cluster is: kubeconfig or service account, trust, identity. */
@NullMarked
package io.apiserverupdater.updater.kube.access;

import org.jspecify.annotations.NullMarked;
