/** The reconcile loop: on each change reads the state, decides, and writes. */
@NullMarked
package io.apiserverupdater.updater.controller;

import org.jspecify.annotations.NullMarked;
