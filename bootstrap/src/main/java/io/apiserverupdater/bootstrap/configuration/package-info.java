/** What the command line and the configuration file ask for, checked. Nothing is done here. */
@NullMarked
package io.apiserverupdater.bootstrap.configuration;

import org.jspecify.annotations.NullMarked;
