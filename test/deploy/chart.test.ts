/** The Helm chart: its templates are rendered, and what comes out is held to Kubernetes' own schemas. */
import { readdirSync, readFileSync } from "node:fs"
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor"
import { Ajv } from "ajv"
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet"
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy"
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget"
import { ConfigMap } from "kubernetes-models/v1/ConfigMap"
import { Service } from "kubernetes-models/v1/Service"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { version } from "../../src/runtime/version.js"
import { render } from "./template.js"

const folder = `${import.meta.dirname}/../../deploy/helm/site-actors`
const text = (name: string): string => readFileSync(`${folder}/${name}`, "utf8")
const chart = parse(text("Chart.yaml"))
const offering = { name: "VDC", waldur_api_token: "$" + "{credential:waldur-token}" }

/** Values over those of values.yaml: mappings are joined, as Helm joins them. */
const joined = (below: unknown, above: unknown): unknown =>
  isMapping(below) && isMapping(above)
    ? Object.fromEntries(
        [...new Set([...Object.keys(below), ...Object.keys(above)])].map((key) => [
          key,
          key in above ? joined(below[key], above[key]) : below[key]
        ])
      )
    : above
const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const values = (own: unknown = {}): unknown =>
  joined(parse(text("values.yaml")), joined({ config: { offerings: [offering] } }, own))

const manifestsOf = (own?: unknown) =>
  readdirSync(`${folder}/templates`)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) =>
      render(text("templates/_helpers.tpl"), text(`templates/${name}`), {
        Values: values(own),
        Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
        Release: { Name: "waldur-agent", Namespace: "agents", Service: "Helm" }
      })
    )
    .filter((rendered) => rendered.trim() !== "")
    .map((rendered) => parse(rendered))

type Rendered = ReturnType<typeof manifestsOf>[number]
const ofKind = (kind: string, own?: unknown): Rendered => manifestsOf(own).find((one) => one.kind === kind)

const modelOf = (manifest: Rendered) => {
  switch (manifest.kind) {
    case "ConfigMap":
      return new ConfigMap(manifest)
    case "NetworkPolicy":
      return new NetworkPolicy(manifest)
    case "PodDisruptionBudget":
      return new PodDisruptionBudget(manifest)
    case "Service":
      return new Service(manifest)
    case "ServiceMonitor":
      return new ServiceMonitor(manifest)
    case "StatefulSet":
      return new StatefulSet(manifest)
    default:
      throw new Error(`No schema for ${manifest.kind}.`)
  }
}
const validate = (manifest: Rendered): void => modelOf(manifest).validate()

const everything = {
  serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
  persistence: { storageClassName: "fast", accessMode: "ReadWriteOncePod" },
  imagePullSecrets: [{ name: "registry" }],
  priorityClassName: "important",
  nodeSelector: { zone: "a" },
  tolerations: [{ key: "cloud", operator: "Exists" }],
  affinity: { nodeAffinity: {} },
  extraVolumes: [{ name: "authority", configMap: { name: "authority" } }],
  extraVolumeMounts: [{ name: "authority", mountPath: "/etc/authority" }]
}

const several = { replicas: 3, cluster: { enabled: true }, config: { database: "$" + "{credential:database}" } }

describe("the chart's manifests", () => {
  it.each([
    [
      "with the values as they are",
      {},
      ["ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Service", "StatefulSet"]
    ],
    [
      "with every value set",
      everything,
      ["ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceMonitor", "StatefulSet"]
    ],
    [
      "without what can be left out",
      { networkPolicy: { enabled: false } },
      ["ConfigMap", "PodDisruptionBudget", "Service", "StatefulSet"]
    ]
  ])("fit Kubernetes' schemas %s", (_, own, kinds) => {
    const manifests = manifestsOf(own)
    expect(manifests.map(({ kind }) => kind).toSorted()).toEqual(kinds)
    for (const manifest of manifests) validate(manifest)
    expect(new Set(manifests.map(({ metadata }) => metadata.name))).toEqual(new Set(["waldur-agent"]))
  })

  it("would be refused if a value were of the wrong kind", () => {
    const set = ofKind("StatefulSet")
    expect(() => validate({ ...set, spec: { ...set.spec, replicas: "one" } })).toThrow("replicas")
  })

  it("run one process, with nothing that it does not need", () => {
    const { spec } = ofKind("StatefulSet")
    const pod = spec.template.spec
    const [agent] = pod.containers
    // A pod that never became ready is replaced by the next update.
    expect(spec).toMatchObject({ replicas: 1, podManagementPolicy: "Parallel" })
    expect(pod).toMatchObject({ automountServiceAccountToken: false, terminationGracePeriodSeconds: 75 })
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } })
    expect(agent.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] }
    })
    expect(agent.image).toBe(`site-actors:${version}`)
    expect(agent.livenessProbe.httpGet.path).toBe("/healthz")
    expect(agent.readinessProbe.httpGet.path).toBe("/readyz")
  })

  it("run several processes that meet nobody but each other, where there is a database for them", () => {
    const spec = ofKind("StatefulSet", several).spec
    const [agent] = spec.template.spec.containers
    expect(spec).toMatchObject({ replicas: 3, podManagementPolicy: "Parallel" })
    expect(agent.ports).toContainEqual({ name: "cluster", containerPort: 34_431 })
    expect(agent.env.map(({ name }: { name: string }) => name)).toContain("POD_IP")
    expect(parse(ofKind("ConfigMap", several).data["config.yaml"]).cluster).toEqual({
      host: "$" + "{POD_IP}",
      port: 34_431,
      takeover: 10
    })
    const own = [{ podSelector: { matchLabels: ofKind("StatefulSet").spec.selector.matchLabels } }]
    const { egress, ingress } = ofKind("NetworkPolicy", several).spec
    expect(ingress).toContainEqual({ from: own, ports: [{ port: "cluster", protocol: "TCP" }] })
    expect(egress).toContainEqual({ to: own, ports: [{ port: 34_431, protocol: "TCP" }] })
    for (const manifest of manifestsOf(several)) validate(manifest)
  })

  it("open the way to PostgreSQL where there is one, be it for one process", () => {
    const ways = (own?: unknown): unknown => ofKind("NetworkPolicy", own).spec.egress
    const way = { ports: [{ port: 6432, protocol: "TCP" }] }
    expect(ways({ databasePort: 6432 })).not.toContainEqual(way)
    expect(ways({ databasePort: 6432, config: { database: "$" + "{credential:database}" } })).toContainEqual(way)
  })

  it("hand secrets over as files, by reference", () => {
    const pod = ofKind("StatefulSet").spec.template.spec
    const [agent] = pod.containers
    expect(pod.volumes).toContainEqual({
      name: "credentials",
      secret: { secretName: "site-actors", defaultMode: 0o440 }
    })
    const mounted = agent.volumeMounts.find(({ name }: { name: string }) => name === "credentials").mountPath
    expect(agent.env).toEqual([{ name: "CREDENTIALS_DIRECTORY", value: mounted }])
    expect(manifestsOf().map(({ kind }) => kind)).not.toContain("Secret")
  })

  it("hand the configuration over as it is, on the volume and the port that the pod has", () => {
    const config = parse(ofKind("ConfigMap").data["config.yaml"])
    const [agent] = ofKind("StatefulSet").spec.template.spec.containers
    expect(config).toEqual(joined(parse(text("values.yaml")).config, { offerings: [offering] }))
    expect(agent.ports).toEqual([{ name: "http", containerPort: config.http.port }])
    expect(config.data_dir).toMatch(
      new RegExp(`^${agent.volumeMounts.find(({ name }: { name: string }) => name === "journal").mountPath}/.`)
    )
  })

  it("start the pod anew when the configuration is another one", () => {
    const sumOf = (own?: unknown): unknown => ofKind("StatefulSet", own).spec.template.metadata.annotations
    expect(sumOf({ config: { poll_interval: 7 } })).not.toEqual(sumOf())
    expect(sumOf({ priorityClassName: "important" })).toEqual(sumOf())
  })

  it("select the pod that they are about, and let its node be drained", () => {
    const labels = ofKind("StatefulSet").spec.template.metadata.labels
    const budget = ofKind("PodDisruptionBudget").spec
    for (const selector of [
      budget.selector.matchLabels,
      ofKind("NetworkPolicy").spec.podSelector.matchLabels,
      ofKind("Service").spec.selector
    ])
      expect(labels).toMatchObject(selector)
    expect(budget).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" })
  })
})

describe("the chart's values", () => {
  const accepts = new Ajv({ strict: true }).compile(parse(text("values.schema.json")))

  it("are accepted with offerings, and with every value set", () => {
    expect([accepts(values()), accepts(values(everything)), accepts(values(several))]).toEqual([true, true, true])
  })

  it.each([
    ["no offering", { config: { offerings: [] } }],
    ["a key that is misspelt", { persistance: { size: "1Gi" } }],
    ["a journal beside the volume", { config: { data_dir: "/tmp/journal" } }],
    ["no page for the probes", { config: { http: { port: "off" } } }],
    ["several processes that know nothing of each other", { replicas: 2 }],
    ["several processes without a database", { replicas: 2, cluster: { enabled: true } }],
    ["no secret", { secretName: "" }],
    ["a volume for several nodes at once", { persistence: { accessMode: "ReadWriteMany" } }]
  ])("are refused with %s", (_, own) => {
    expect(accepts(values(own))).toBe(false)
  })
})

it("the chart is of the program's version", () => {
  expect([chart.appVersion, chart.version]).toEqual([version, version])
})
