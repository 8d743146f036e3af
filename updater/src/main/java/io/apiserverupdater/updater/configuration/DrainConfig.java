package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.updater.endpoints.TargetSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What {@code updater drain} and {@code updater undrain} are asked for.
 *
 * @param kubeconfig the file to use instead of kubectl's own choice
 * @param context the context to use instead of the current one
 * @param address the IP address of a member
 * @param time how long it is to be out; empty to take it in again
 */
public record DrainConfig(
    Optional<Path> kubeconfig,
    Optional<String> context,
    TargetSettings target,
    String address,
    Optional<Duration> time,
    boolean verbose) {}
