package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * What a watch asks for.
 *
 * @param namespace "" for all
 * @param since absent when the watch is to start with what is there, as ADDED events
 * @param initialEventsEnd whether a bookmark marks the end of what was there
 * @param timeout after which the server ends the watch
 */
record WatchRequest(
    ApiResource resource,
    String namespace,
    Predicate<JsonObject> selector,
    OptionalLong since,
    boolean bookmarks,
    boolean initialEventsEnd,
    Duration timeout) {}
