/**
 * What is installed in a cluster, in its three forms: kustomize, the Helm chart and the one file
 * that the build makes. They are the same objects.
 */
@NullMarked
package io.apiserverupdater.manifests;

import org.jspecify.annotations.NullMarked;
