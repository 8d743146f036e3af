/**
 * What {@code ./try} shows: the updater at work on a control plane that is made for the occasion,
 * told line by line with the times that were measured.
 *
 * <p>{@link io.apiserverupdater.tour.Tour} holds the acts in the order in which they are played.
 */
@NullMarked
package io.apiserverupdater.tour;

import org.jspecify.annotations.NullMarked;
