/** Calls to the API over OkHttp: which apiserver is asked first, deadlines, answers, JSON. */
@NullMarked
package io.apiserverupdater.updater.kube.api;

import org.jspecify.annotations.NullMarked;
