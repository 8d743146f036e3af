/** One class per command, each built of the rooms below as the configuration asks for it. */
@NullMarked
package io.apiserverupdater.bootstrap.commands;

import org.jspecify.annotations.NullMarked;
