/** What is asked for once and ends: {@code --dry-run} and {@code --once}. */
@NullMarked
package io.apiserverupdater.updater.commands;

import org.jspecify.annotations.NullMarked;
