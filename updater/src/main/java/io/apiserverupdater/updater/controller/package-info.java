/** The loop: reads the state when something changed, decides, and has the decision carried out. */
@NullMarked
package io.apiserverupdater.updater.controller;

import org.jspecify.annotations.NullMarked;
