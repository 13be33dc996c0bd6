using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace SamCompress.Cli.Tests.Browser;

/// <summary>A browser without a window, spoken to in the DevTools protocol (chromedevtools.github.io/devtools-protocol). One message at a time.</summary>
public sealed class Chromium : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _profile;
    private readonly Process _process;
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _hangs = new(10 * Patience);
    private readonly List<JsonObject> _events = [];
    private int _last;

    private Chromium(TemporaryDirectory profile, Process process)
    {
        _profile = profile;
        _process = process;
    }

    /// <summary>The program, or null where there is none.</summary>
    public static string? Program { get; } = new[] { "chromium", "chromium-browser", "google-chrome", "google-chrome-stable" }.Select(name => "/usr/bin/" + name).FirstOrDefault(File.Exists);

    public static async Task<Chromium> Start()
    {
        var profile = new TemporaryDirectory();
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--remote-debugging-port=0", "--user-data-dir=" + profile.Path, "about:blank",
        ];
        var browser = new Chromium(profile, Process.Start(new ProcessStartInfo(Program!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!);
        try
        {
            browser._process.BeginErrorReadLine();
            browser._process.BeginOutputReadLine();
            string[] address = await browser.Address();
            browser._socket.Options.Proxy = null;
            await browser._socket.ConnectAsync(new Uri($"ws://127.0.0.1:{address[0]}{address[1]}"), browser._hangs.Token);
            return browser;
        }
        catch
        {
            browser.Dispose();
            throw;
        }
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <param name="session">Of a page; null for the browser.</param>
    public async Task<JsonNode> Send(string method, JsonObject? parameters = null, string? session = null)
    {
        int id = ++_last;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (session is not null)
            message["sessionId"] = session;
        await _socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, _hangs.Token);
        while (true)
        {
            JsonObject answer = await Receive();
            if (answer["id"]?.GetValue<int>() != id)
                _events.Add(answer);
            else if (answer["error"] is { } error)
                throw new InvalidOperationException($"{method}: {error.ToJsonString()}");
            else
                return answer["result"]!;
        }
    }

    /// <summary>Waits for an event of a page, and takes all of its events that came until then.</summary>
    public async Task<IReadOnlyList<JsonObject>> Until(string method, string session)
    {
        while (!_events.Exists(e => e["method"]?.GetValue<string>() == method && IsOf(e, session)))
            _events.Add(await Receive());
        return Take(session);
    }

    /// <summary>Takes the events of a page that came so far.</summary>
    public IReadOnlyList<JsonObject> Take(string session)
    {
        List<JsonObject> taken = _events.FindAll(e => IsOf(e, session));
        _events.RemoveAll(e => IsOf(e, session));
        return taken;
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _hangs.Dispose();
        _profile.Dispose();
    }

    private static bool IsOf(JsonObject message, string session) => message["sessionId"]?.GetValue<string>() == session;

    /// <summary>Port and path of the socket, which the browser writes into its profile.</summary>
    private async Task<string[]> Address()
    {
        string file = _profile.File("DevToolsActivePort");
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Patience; await Task.Delay(20))
        {
            if (_process.HasExited)
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{Program} ended with {_process.ExitCode}"));
            if (File.Exists(file) && File.ReadAllLines(file) is { Length: 2 } address)
                return address;
        }

        throw new TimeoutException($"{Program} does not open its port");
    }

    private async Task<JsonObject> Receive()
    {
        using var message = new MemoryStream();
        var buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, _hangs.Token);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!.AsObject();
    }
}

/// <summary>A test with a browser, skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute()
    {
        if (Chromium.Program is null)
            Skip = "there is no Chromium in /usr/bin: install the package chromium";
    }
}
