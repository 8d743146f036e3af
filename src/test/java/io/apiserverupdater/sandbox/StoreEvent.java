package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;
import java.util.Optional;

/**
 * One write, as the store remembers it. The objects are shared: read them, never change them.
 *
 * @param before absent for a creation
 * @param after absent for a deletion
 * @param last the object as it stands after the write, or as it was last, with the resourceVersion
 *     of this write
 */
record StoreEvent(
    long revision,
    ObjectKey key,
    Optional<JsonObject> before,
    Optional<JsonObject> after,
    JsonObject last) {}
