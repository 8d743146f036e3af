/** List and watch: keeps a cache of some objects up to date. */
@NullMarked
package io.apiserverupdater.updater.kube.watch;

import org.jspecify.annotations.NullMarked;
