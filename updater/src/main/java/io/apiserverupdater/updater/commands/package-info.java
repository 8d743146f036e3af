/** The modes that run once and exit: {@code --dry-run} and {@code --once}. */
@NullMarked
package io.apiserverupdater.updater.commands;

import org.jspecify.annotations.NullMarked;
