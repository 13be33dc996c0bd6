using System.Text.Json.Nodes;

namespace SamCompress.Cli.Tests.Browser;

/// <summary>What a page does in a browser.</summary>
/// <param name="Requests">Addresses that it asked for, but for itself and data within it.</param>
/// <param name="Complaints">Everything in the console: errors, warnings, what its policy forbade.</param>
/// <param name="Facts">What <see cref="Question"/> found.</param>
internal sealed record PageVisit(IReadOnlyList<string> Requests, IReadOnlyList<string> Complaints, JsonNode Facts)
{
    private const string Question = """
        (() => {
          const all = selector => [...document.querySelectorAll(selector)];
          document.querySelectorAll('details').forEach(d => d.open = true);
          return {
            title: document.title,
            scripts: document.scripts.length,
            inner: window.innerWidth,
            scroll: document.documentElement.scrollWidth,
            missing: all('img').filter(i => !i.complete || i.naturalWidth === 0 || !i.alt).length,
            pictures: all('img').length,
            headings: all('h1, h2, h3').map(h => +h.tagName[1]),
            tables: all('table').filter(t => !t.caption || !t.tHead || [...t.querySelectorAll('th')].some(h => !h.scope)).length,
            unnamed: all('svg, [role=region]').filter(e => !e.getAttribute('aria-label')).length,
            tall: document.documentElement.scrollHeight
          };
        })()
        """;

    /// <summary>Opens a file, asks about it, and takes a picture of all of it.</summary>
    /// <param name="width">Of the window, in pixels.</param>
    /// <param name="scheme"><c>light</c> or <c>dark</c>.</param>
    /// <param name="screenshot">Where the picture goes.</param>
    public static async Task<PageVisit> Open(Chromium browser, string file, int width, string scheme, string screenshot)
    {
        string target = (await browser.Send("Target.createTarget", new JsonObject { ["url"] = "about:blank" }))["targetId"]!.GetValue<string>();
        string session = (await browser.Send("Target.attachToTarget", new JsonObject { ["targetId"] = target, ["flatten"] = true }))["sessionId"]!.GetValue<string>();
        foreach (string domain in (string[])["Page", "Network", "Log", "Runtime"])
            await browser.Send(domain + ".enable", null, session);
        await browser.Send("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = 900, ["deviceScaleFactor"] = 1, ["mobile"] = false }, session);
        await browser.Send("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) }, session);
        browser.Take(session);

        string address = new Uri(file).AbsoluteUri;
        await browser.Send("Page.navigate", new JsonObject { ["url"] = address }, session);
        List<JsonObject> events = [.. await browser.Until("Page.loadEventFired", session)];
        JsonNode facts = (await browser.Send("Runtime.evaluate", new JsonObject { ["expression"] = Question, ["returnByValue"] = true }, session))["result"]!["value"]!;
        JsonNode picture = await browser.Send(
            "Page.captureScreenshot",
            new JsonObject
            {
                ["captureBeyondViewport"] = true,
                ["clip"] = new JsonObject { ["x"] = 0, ["y"] = 0, ["width"] = width, ["height"] = facts["tall"]!.DeepClone(), ["scale"] = 1 },
            },
            session);
        Directory.CreateDirectory(Path.GetDirectoryName(screenshot)!);
        await File.WriteAllBytesAsync(screenshot, Convert.FromBase64String(picture["data"]!.GetValue<string>()));
        events.AddRange(browser.Take(session));
        await browser.Send("Target.closeTarget", new JsonObject { ["targetId"] = target });
        return new PageVisit(
            [.. events.Where(e => Is(e, "Network.requestWillBeSent")).Select(e => e["params"]!["request"]!["url"]!.GetValue<string>()).Where(u => u != address && !u.StartsWith("data:", StringComparison.Ordinal))],
            [.. events.Where(e => Is(e, "Log.entryAdded") || Is(e, "Runtime.exceptionThrown") || Is(e, "Runtime.consoleAPICalled")).Select(e => e["params"]!.ToJsonString())],
            facts);
    }

    private static bool Is(JsonObject message, string method) => message["method"]?.GetValue<string>() == method;
}
