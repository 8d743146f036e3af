package io.apiserverupdater.updater.kube;

import static java.lang.reflect.Modifier.isStatic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.ServedObjects;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import io.kubernetes.client.openapi.models.V1Endpoints;
import io.kubernetes.client.openapi.models.V1Lease;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceCIDRList;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelsTest {
  private static final Port PORT = new Port("https", 6443, "TCP");
  private static final Endpoint UNREADY = Endpoint.ready("192.0.2.2").withReady(false);
  private static final List<Endpoint> MEMBERS =
      List.of(new Endpoint("192.0.2.1", true, Optional.of("cp-1"), Optional.of("zone-a")), UNREADY);
  private static final DesiredObject.Slice DESIRED_SLICE =
      new DesiredObject.Slice(
          "apiserver-ipv4",
          AddressFamily.IPV4,
          Map.of("endpointslice.kubernetes.io/managed-by", "apiserver-updater"),
          List.of(PORT),
          MEMBERS);
  private static final DesiredObject.LegacyEndpoints DESIRED_ENDPOINTS =
      new DesiredObject.LegacyEndpoints(
          "apiserver",
          Map.of("endpointslice.kubernetes.io/skip-mirror", "true"),
          new Endpoints.Subset(
              List.of(
                  new Endpoint("192.0.2.1", true, Optional.of("cp-1"), Optional.empty()), UNREADY),
              List.of(PORT)));

  private static <T> T model(String json, Class<T> type) {
    try {
      return KubeJson.model(KubeJson.object(json), type);
    } catch (KubeJson.MalformedException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static EndpointSlice slice(String json) {
    return Models.targetSlice(model(json, V1EndpointSlice.class));
  }

  private static Endpoints endpoints(String json) {
    return Models.endpoints(model(json, V1Endpoints.class));
  }

  private static Service service(String json) {
    return Models.service(model(json, V1Service.class));
  }

  private static JsonObject json(Object model) {
    return JsonParser.parseString(KubeJson.text(model)).getAsJsonObject();
  }

  @Nested
  class Reading {
    @Test
    void readsSlice() {
      assertEquals(
          new EndpointSlice(
              "kubernetes",
              "IPv4",
              Map.of("kubernetes.io/service-name", "kubernetes"),
              List.of(PORT),
              MEMBERS,
              "12"),
          slice(
              """
              {"metadata":{"name":"kubernetes","resourceVersion":"12",
                "labels":{"kubernetes.io/service-name":"kubernetes"}},
               "addressType":"IPv4","ports":[{"name":"https","port":6443,"protocol":"TCP"}],
               "endpoints":[
                {"addresses":["192.0.2.1"],"conditions":{"ready":true},"nodeName":"cp-1",
                 "zone":"zone-a"},
                {"addresses":["192.0.2.2"],"conditions":{"ready":false}}]}
              """));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          ",\"conditions\":null",
          ",\"conditions\":{}",
          ",\"conditions\":{\"ready\":null}"
        })
    void readinessThatIsNotSaidCountsAsReady(String conditions) {
      EndpointSlice slice =
          slice("{\"endpoints\":[{\"addresses\":[\"192.0.2.1\"]" + conditions + "}]}");
      assertEquals(List.of(Endpoint.ready("192.0.2.1")), slice.endpoints());
    }

    @Test
    void protocolThatIsNotSaidIsTcpAndPortWithoutNumberIsNone() {
      EndpointSlice slice = slice("{\"ports\":[{\"port\":6443},{\"name\":\"all\"},null]}");
      assertEquals(List.of(new Port("", 6443, "TCP")), slice.ports());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{}",
          "{\"metadata\":null,\"endpoints\":null,\"ports\":null,\"addressType\":null}",
          "{\"metadata\":{},\"endpoints\":[],\"ports\":[]}",
          "{\"metadata\":{\"labels\":null},\"endpoints\":[null,{},{\"addresses\":null},"
              + "{\"addresses\":[null]}]}",
        })
    void sliceWithoutAnythingIsEmpty(String json) {
      assertEquals(new EndpointSlice("", "", Map.of(), List.of(), List.of(), ""), slice(json));
    }

    @Test
    void objectThatWeWroteHoldsNothingElse() {
      assertEquals(
          Optional.empty(),
          slice(KubeJson.text(Models.slice(DESIRED_SLICE, "kube-system"))).verbatim());
      assertEquals(
          Optional.empty(),
          endpoints(KubeJson.text(Models.endpoints(DESIRED_ENDPOINTS, "kube-system"))).verbatim());
    }

    /** kube-proxy uses the first address of an endpoint only, and obeys hints. */
    @ParameterizedTest
    @ValueSource(
        strings = {
          "{'addresses':['192.0.2.1','192.0.2.2'],'conditions':{'ready':true}}",
          "{'addresses':['192.0.2.1'],'conditions':{}}",
          "{'addresses':['192.0.2.1'],'conditions':{'ready':true,'serving':false}}",
          "{'addresses':['192.0.2.1'],'conditions':{'ready':true,'terminating':true}}",
          "{'addresses':['192.0.2.1'],'conditions':{'ready':true},'hostname':'a'}",
          "{'addresses':['192.0.2.1'],'conditions':{'ready':true},'targetRef':{'name':'a'}}",
          "{'addresses':['192.0.2.1'],'conditions':{'ready':true},"
              + "'hints':{'forZones':[{'name':'a'}]}}",
        })
    void endpointThatSaysMoreThanWeWriteIsNoticed(String endpoint) {
      assertTrue(slice("{'endpoints':[" + endpoint + "]}").verbatim().isPresent());
    }

    @Test
    void whatSaysMoreIsToldWordByWordWithItsKeysInOrder() {
      assertEquals(
          "{endpoints=[{addresses=[192.0.2.2, 192.0.2.1], conditions={ready=true, serving=false}}],"
              + " ports=[{name=https, port=6443, protocol=TCP}]}",
          slice(
                  """
                  {"endpoints":[{"conditions":{"serving":false,"ready":true},
                     "addresses":["192.0.2.2","192.0.2.1"]}],
                   "ports":[{"protocol":"TCP","port":6443,"name":"https"}]}
                  """)
              .verbatim()
              .orElseThrow()
              .toString());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{'ports':[{'name':'https','protocol':'TCP'}]}",
          "{'ports':[{'name':'','port':6443,'protocol':'TCP','appProtocol':'https'}]}",
        })
    void portThatSaysMoreThanWeWriteIsNoticed(String json) {
      assertTrue(slice(json).verbatim().isPresent());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{'addresses':[{'ip':'192.0.2.1','hostname':'a'}]}",
          "{'addresses':[{'ip':'192.0.2.1','targetRef':{'name':'a'}}]}",
          "{'addresses':[{'ip':'192.0.2.1'}],'ports':[{'port':1,'appProtocol':'a'}]}",
        })
    void subsetThatSaysMoreThanWeWriteIsNoticed(String subset) {
      assertTrue(endpoints("{'subsets':[" + subset + "]}").verbatim().isPresent());
    }

    /** The server sorts subsets as it likes. */
    @Test
    void otherOrderOfASubsetSaysNoMore() {
      assertEquals(
          Optional.empty(),
          endpoints(
                  """
                  {"subsets":[{"addresses":[{"ip":"192.0.2.9"},{"ip":"192.0.2.1"}],
                    "ports":[{"name":"b","port":2,"protocol":"TCP"},
                             {"name":"a","port":1,"protocol":"TCP"}]}]}
                  """)
              .verbatim());
    }

    @Test
    void labelWithoutValueIsAnEmptyOne() {
      assertEquals(Map.of("a", ""), slice("{\"metadata\":{\"labels\":{\"a\":null}}}").labels());
      assertEquals(Map.of("a", ""), service("{\"spec\":{\"selector\":{\"a\":null}}}").selector());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{}",
          "{\"metadata\":null,\"subsets\":null}",
          "{\"subsets\":[]}",
          "{\"subsets\":[null]}",
        })
    void endpointsWithoutAnythingAreEmpty(String json) {
      assertEquals(new Endpoints("", Map.of(), List.of(), ""), endpoints(json));
    }

    @Test
    void subsetWithNullsIsAnEmptyOne() {
      assertEquals(
          List.of(new Endpoints.Subset(List.of(), List.of())),
          endpoints(
                  "{\"subsets\":[{\"addresses\":null,\"notReadyAddresses\":null,\"ports\":null}]}")
              .subsets());
    }

    @Test
    void readsReadyAndUnreadyAddresses() {
      assertEquals(
          List.of(DESIRED_ENDPOINTS.subset()),
          endpoints(
                  """
                  {"subsets":[{"notReadyAddresses":[{"ip":"192.0.2.2"}],
                    "addresses":[{"ip":"192.0.2.1","nodeName":"cp-1","hostname":"x"}],
                    "ports":[{"name":"https","port":6443}]}]}
                  """)
              .subsets());
    }

    @Test
    void readsService() {
      assertEquals(
          new Service(
              "apiserver",
              "NodePort",
              Map.of("app", "x"),
              "10.96.0.64",
              List.of(AddressFamily.IPV6, AddressFamily.IPV4),
              List.of(new Port("https", 443, "TCP"), new Port("", 53, "UDP"))),
          service(
              """
              {"metadata":{"name":"apiserver"},"spec":{"type":"NodePort","selector":{"app":"x"},
               "clusterIP":"10.96.0.64","ipFamilies":["IPv6","IPv4","IPv9"],
               "ports":[{"name":"https","port":443,"targetPort":"x"},
                        {"port":53,"protocol":"UDP","targetPort":53}]}}
              """));
    }

    @Test
    void readsWhereTrafficStays() {
      assertTrue(service("{'spec':{'internalTrafficPolicy':'Local'}}").localTrafficOnly());
      assertFalse(service("{'spec':{'internalTrafficPolicy':'Cluster'}}").localTrafficOnly());
      assertTrue(service("{'spec':{'externalTrafficPolicy':'Local'}}").localExternalTrafficOnly());
      assertFalse(service("{'spec':{'internalTrafficPolicy':'Local'}}").localExternalTrafficOnly());
    }

    @Test
    void readsWhoIsDrained() {
      assertEquals(
          Drains.of("192.0.2.1=2026-01-02T03:04:05Z"),
          service(
                  "{'metadata':{'annotations':{'apiserver-updater.io/drain':"
                      + "'192.0.2.1=2026-01-02T03:04:05Z','b':'c'}}}")
              .drains());
      assertEquals(
          Drains.NONE,
          service("{'metadata':{'annotations':{'apiserver-updater.io/drain':null}}}").drains());
    }

    @Test
    void readsTheRangesOfClusterIps() {
      V1ServiceCIDRList list =
          model(
              "{'items':[{},{'spec':{'cidrs':['10.96.0.0/12','fd00::/108']}}]}",
              V1ServiceCIDRList.class);
      assertEquals(List.of("10.96.0.0/12", "fd00::/108"), Models.ranges(list));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{}",
          "{\"metadata\":null,\"spec\":null}",
          "{\"spec\":{\"type\":null,\"selector\":null,\"clusterIP\":null,\"ipFamilies\":null,"
              + "\"ports\":null}}",
        })
    void serviceWithoutAnythingIsEmptyClusterIp(String json) {
      assertEquals(new Service("", "ClusterIP", Map.of(), "", List.of(), List.of()), service(json));
    }
  }

  @Nested
  class Writing {
    private static boolean hasNullOrEmpty(JsonElement element) {
      if (element instanceof JsonObject object) {
        return object.size() == 0
            || object.entrySet().stream().anyMatch(entry -> hasNullOrEmpty(entry.getValue()));
      }
      return element.isJsonNull()
          || (element.isJsonArray()
              && (element.getAsJsonArray().isEmpty()
                  || element.getAsJsonArray().asList().stream().anyMatch(Writing::hasNullOrEmpty)));
    }

    @Test
    void newSliceReadsBackAsDesired() {
      EndpointSlice back = slice(KubeJson.text(Models.slice(DESIRED_SLICE, "kube-system")));
      assertEquals(ServedObjects.written(DESIRED_SLICE, ""), back);
    }

    @Test
    void newEndpointsReadBackAsDesired() {
      Endpoints back = endpoints(KubeJson.text(Models.endpoints(DESIRED_ENDPOINTS, "kube-system")));
      assertEquals(ServedObjects.written(DESIRED_ENDPOINTS, ""), back);
    }

    @Test
    void newObjectsCarryNoEmptyFieldThatWouldEraseSomething() {
      JsonObject slice = json(Models.slice(DESIRED_SLICE, "kube-system"));
      JsonObject endpoints = json(Models.endpoints(DESIRED_ENDPOINTS, "kube-system"));
      assertFalse(hasNullOrEmpty(slice), slice.toString());
      assertFalse(hasNullOrEmpty(endpoints), endpoints.toString());
    }

    @Test
    void unnamedPortHasNoNameInEndpoints() {
      DesiredObject.LegacyEndpoints unnamed =
          new DesiredObject.LegacyEndpoints(
              "apiserver",
              Map.of(),
              new Endpoints.Subset(
                  List.of(Endpoint.ready("192.0.2.1")), List.of(new Port("", 6443, "TCP"))));
      Endpoints back = endpoints(KubeJson.text(Models.endpoints(unnamed, "kube-system")));
      assertEquals(List.of(unnamed.subset()), back.subsets());
    }

    @Test
    void updateOfSliceKeepsWhatIsNotOurs() {
      V1EndpointSlice current =
          model(
              """
              {"metadata":{"name":"apiserver-ipv4","resourceVersion":"12","uid":"u",
                "labels":{"team":"platform"},"annotations":{"note":"kept"},
                "ownerReferences":[{"name":"o"}],"finalizers":["f"],
                "managedFields":[{"manager":"kubectl"}]},
               "addressType":"IPv4","endpoints":null,"ports":null}
              """,
              V1EndpointSlice.class);
      JsonObject next = json(Models.update(current, DESIRED_SLICE));
      JsonObject metadata = next.getAsJsonObject("metadata");
      assertEquals("12", metadata.get("resourceVersion").getAsString());
      assertEquals("u", metadata.get("uid").getAsString());
      JsonObject labels = metadata.getAsJsonObject("labels");
      assertEquals("platform", labels.get("team").getAsString());
      assertEquals(
          "apiserver-updater", labels.get("endpointslice.kubernetes.io/managed-by").getAsString());
      assertEquals("kept", metadata.getAsJsonObject("annotations").get("note").getAsString());
      assertEquals(1, metadata.getAsJsonArray("ownerReferences").size());
      assertEquals(1, metadata.getAsJsonArray("finalizers").size());
      assertFalse(metadata.has("managedFields"), "the server keeps its own");
      assertEquals(DESIRED_SLICE.endpoints(), slice(next.toString()).endpoints());
    }

    /** The object that is changed stays in a cache, and its metadata has many fields. */
    @Test
    void updateLeavesTheObjectAsItIsAndItsMetadataToo() {
      String metadata =
          """
          {"annotations":{"a":"b"},"creationTimestamp":"2026-01-01T00:00:00.000000Z",
           "deletionGracePeriodSeconds":30,"deletionTimestamp":"2026-01-02T00:00:00.000000Z",
           "finalizers":["f"],"generateName":"g-","generation":3,"labels":{"x":"y"},
           "name":"apiserver-ipv4","namespace":"kube-system","ownerReferences":[{"name":"o"}],
           "resourceVersion":"12","selfLink":"/s","uid":"u"}
          """;
      JsonObject all = JsonParser.parseString(metadata).getAsJsonObject();
      Set<String> known = fieldsOf(V1ObjectMeta.class);
      assertTrue(known.remove("managedFields"));
      assertEquals(known, all.keySet(), "every field that the library knows is in this test");
      V1EndpointSlice current = model("{\"metadata\":" + metadata + "}", V1EndpointSlice.class);
      String before = KubeJson.text(current);
      JsonObject next = json(Models.update(current, DESIRED_SLICE)).getAsJsonObject("metadata");
      assertEquals(before, KubeJson.text(current));
      next.remove("labels");
      all.remove("labels");
      assertEquals(all, next);
    }

    /** A field that a newer library adds would be erased by a write that does not carry it. */
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "V1EndpointSlice | addressType apiVersion endpoints kind metadata ports",
          "V1Endpoints     | apiVersion kind metadata subsets",
          "V1Lease         | apiVersion kind metadata spec",
          "V1LeaseSpec     | acquireTime holderIdentity leaseDurationSeconds leaseTransitions"
              + " preferredHolder renewTime strategy"
        })
    void everyFieldOfAModelThatIsWrittenIsKnown(String model, String fields) throws Exception {
      Class<?> type = Class.forName(V1Lease.class.getPackageName() + "." + model);
      assertEquals(Set.of(fields.split(" ", -1)), fieldsOf(type));
    }

    private static Set<String> fieldsOf(Class<?> type) {
      return Stream.of(type.getDeclaredFields())
          .filter(field -> !isStatic(field.getModifiers()))
          .map(Field::getName)
          .collect(Collectors.toSet());
    }

    @Test
    void updateOfEndpointsKeepsWhatIsNotOurs() {
      V1Endpoints current =
          model(
              """
              {"metadata":{"name":"apiserver","resourceVersion":"12","labels":{"team":"platform"},
                "annotations":{"note":"kept"}},
               "subsets":[{"addresses":[{"ip":"198.51.100.9"}]}]}
              """,
              V1Endpoints.class);
      Endpoints next = endpoints(KubeJson.text(Models.update(current, DESIRED_ENDPOINTS)));
      assertEquals(
          Map.of("team", "platform", "endpointslice.kubernetes.io/skip-mirror", "true"),
          next.labels());
      assertEquals("12", next.resourceVersion());
      assertEquals(List.of(DESIRED_ENDPOINTS.subset()), next.subsets(), "the old subset is gone");
    }

    @Test
    void ourLabelWinsOverAnotherValue() {
      V1Endpoints current =
          model(
              """
              {"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":"false"}}}
              """,
              V1Endpoints.class);
      assertEquals(
          DESIRED_ENDPOINTS.labels(),
          Models.endpoints(Models.update(current, DESIRED_ENDPOINTS)).labels());
    }
  }

  private static final String SLICE_JSON =
      """
      {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
       "metadata":{"name":"a","resourceVersion":"7","labels":{"x":"y"}},
       "addressType":"IPv4",
       "endpoints":[{"addresses":["192.0.2.1"],"conditions":{"ready":true,"serving":null}}],
       "ports":[{"name":"https","port":6443,"protocol":"TCP"}]}
      """;

  @Test
  void garbageOnlyEverGivesOneKindOfException() {
    Random random = new Random(42);
    int malformed = 0;
    for (int i = 0; i < 5000; i++) {
      byte[] bytes = SLICE_JSON.getBytes(StandardCharsets.UTF_8);
      for (int flips = random.nextInt(5); flips >= 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) "{}[]\":,0n\\".charAt(random.nextInt(10));
      }
      int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length) : bytes.length;
      try {
        Models.slice(
            KubeJson.model(
                new String(bytes, 0, length, StandardCharsets.UTF_8), V1EndpointSlice.class));
      } catch (KubeJson.MalformedException e) {
        malformed++;
      }
    }
    assertTrue(malformed > 1000, "much of it cannot be read: " + malformed);
    assertTrue(malformed < 5000, "some of it can");
  }
}
