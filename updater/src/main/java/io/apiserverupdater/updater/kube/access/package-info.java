/** Where the cluster is and who the updater is: kubeconfig or service account, trust, identity. */
@NullMarked
package io.apiserverupdater.updater.kube.access;

import org.jspecify.annotations.NullMarked;
