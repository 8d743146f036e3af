/** List and watch: keeps a cache of some objects in step with the API server. */
@NullMarked
package io.apiserverupdater.updater.kube.watch;

import org.jspecify.annotations.NullMarked;
