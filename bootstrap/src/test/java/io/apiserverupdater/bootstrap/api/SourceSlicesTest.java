package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonParser;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SourceSlicesTest {
  /** As an apiserver of 1.35 answers, with what counts in disorder. */
  static final String SLICE =
      """
      {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": {
          "name": "kubernetes",
          "namespace": "default",
          "uid": "2a3b9a0e-6e0f-4a38-a4b2-0f5e6d1f2a11",
          "resourceVersion": "4711",
          "generation": 3,
          "creationTimestamp": "2026-11-21T10:51:03Z",
          "labels": {"kubernetes.io/service-name": "kubernetes"},
          "managedFields": [
            {"manager": "kube-apiserver", "operation": "Update", "fieldsType": "FieldsV1",
             "fieldsV1": {"f:addressType": {}, "f:endpoints": {}, "f:ports": {}}}
          ]
        },
        "addressType": "IPv4",
        "endpoints": [
          {"addresses": ["172.30.1.3"], "conditions": {"ready": true}},
          {"addresses": ["172.30.1.1"], "conditions": {"ready": false}},
          {"addresses": ["172.30.1.2"], "conditions": {}}
        ],
        "ports": [{"name": "https", "protocol": "TCP", "port": 6443}]
      }
      """;

  static final String LIST =
      """
      {"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1",
       "metadata": {"resourceVersion": "1"}, "items": [
        {"metadata": {"name": "a"}, "addressType": "IPv6",
         "endpoints": [{"addresses": ["fd00::2", "fd00::1"]}],
         "ports": [{"name": "https", "port": 6443}]},
        {"metadata": {"name": "b"}, "addressType": "IPv4",
         "endpoints": [{"addresses": ["172.30.1.1"]}, {"addresses": ["172.30.1.1"]}],
         "ports": [{"name": "https", "port": 443}, {"name": "https-2", "port": 1}]}
      ]}
      """;

  private static String addresses(String json) {
    return SourceSlices.addresses(JsonParser.parseString(json)).toString();
  }

  @Test
  void membershipCountsNotReadiness() {
    assertEquals("[172.30.1.1:6443, 172.30.1.2:6443, 172.30.1.3:6443]", addresses(SLICE));
  }

  @Test
  void slicesOfSeveralFamiliesAreMerged() {
    assertEquals(
        "[172.30.1.1:443, [fd00:0:0:0:0:0:0:1]:6443, [fd00:0:0:0:0:0:0:2]:6443]", addresses(LIST));
  }

  static List<Arguments> passesOverWhatItDoesNotKnow() {
    String one = "[172.30.1.1:6443]";
    String none = "[]";
    String endpoints = "'endpoints': [{'addresses': ['172.30.1.1']}]";
    String ports = "'ports': [{'name': 'https', 'port': 6443}]";
    String v4 = "'addressType': 'IPv4'";
    return List.of(
        Arguments.of("the least", slice(v4, endpoints, ports), one),
        Arguments.of("unknown fields", slice("'x': [{'y': 1}]", v4, endpoints, ports), one),
        Arguments.of("no endpoints", slice(v4, ports), none),
        Arguments.of("endpoints null", slice(v4, "'endpoints': null", ports), none),
        Arguments.of("an endpoint null", slice(v4, "'endpoints': [null]", ports), none),
        Arguments.of(
            "addresses null", slice(v4, "'endpoints': [{'addresses': null}]", ports), none),
        Arguments.of(
            "an address null among others",
            slice(v4, "'endpoints': [{'addresses': [null, 5, '172.30.1.1']}]", ports),
            one),
        Arguments.of(
            "conditions null",
            slice(v4, "'endpoints': [{'addresses': ['172.30.1.1'], 'conditions': null}]", ports),
            one),
        Arguments.of("ports null", slice(v4, endpoints, "'ports': null"), none),
        Arguments.of("a port null", slice(v4, endpoints, "'ports': [null]"), none),
        Arguments.of("a port without a number", onPort("'name': 'https', 'port': null"), none),
        Arguments.of("a port without a name", onPort("'port': 6443"), none),
        Arguments.of("another port", onPort("'name': 'http', 'port': 80"), none),
        Arguments.of("a port out of range", onPort("'name': 'https', 'port': 65536"), none),
        Arguments.of("a port that is no integer", onPort("'name': 'https', 'port': 6443.5"), none),
        Arguments.of("a family of names", slice("'addressType': 'FQDN'", endpoints, ports), none),
        Arguments.of("the other family", slice("'addressType': 'IPv6'", endpoints, ports), none),
        Arguments.of("no family", slice(endpoints, ports), none),
        Arguments.of("no object", "[1]", none),
        Arguments.of(
            "a list with a null", "{'kind': 'EndpointSliceList', 'items': [null, 1]}", none),
        Arguments.of("a list without items", "{'kind': 'EndpointSliceList', 'items': null}", none));
  }

  private static String onPort(String port) {
    return slice(
        "'addressType': 'IPv4'",
        "'endpoints': [{'addresses': ['172.30.1.1']}]",
        "'ports': [{" + port + "}]");
  }

  /** In Gson's words, with quotes that need no escape. */
  private static String slice(String... fields) {
    return "{'kind': 'EndpointSlice', " + String.join(", ", fields) + "}";
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void passesOverWhatItDoesNotKnow(String what, String json, String expected) {
    assertEquals(expected, addresses(json));
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource({
    "IPv4, 127.0.0.1",
    "IPv4, 0.0.0.0",
    "IPv4, 169.254.1.1",
    "IPv4, 224.0.0.1",
    "IPv4, 172.30.1.1:6443",
    "IPv4, 172.30.1",
    "IPv4, apiserver.example",
    "IPv4, ''",
    "IPv6, ::1",
    "IPv6, ::",
    "IPv6, fe80::1",
    "IPv6, ff02::1",
    "IPv6, [fd00::1]",
    "IPv6, ::ffff:172.30.1.1",
    "IPv6, fd00::1%eth0",
  })
  void takesNoAddressThatIsNoApiservers(String family, String address) {
    assertEquals(
        "[]",
        addresses(
            slice(
                "'addressType': '" + family + "'",
                "'endpoints': [{'addresses': ['" + address + "']}]",
                "'ports': [{'name': 'https', 'port': 6443}]")));
  }

  @ParameterizedTest(name = "{0} of {1}")
  @CsvSource({
    "EndpointSlice, discovery.k8s.io/v1, true",
    "EndpointSliceList, discovery.k8s.io/v1, true",
    "EndpointSlice, discovery.k8s.io/v2, false",
    "Endpoints, v1, false",
    "Status, v1, false",
  })
  void tellsSlicesFromOtherObjects(String kind, String apiVersion, boolean expected) {
    String object = "{'kind': '" + kind + "', 'apiVersion': '" + apiVersion + "'}";
    assertEquals(expected, SourceSlices.areSlices(JsonParser.parseString(object)));
    assertEquals(false, SourceSlices.areSlices(JsonParser.parseString("[" + object + "]")));
  }
}
