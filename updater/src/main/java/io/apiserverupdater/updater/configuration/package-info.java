/** What the command line and the environment ask for, checked. Nothing is done here. */
@NullMarked
package io.apiserverupdater.updater.configuration;

import org.jspecify.annotations.NullMarked;
