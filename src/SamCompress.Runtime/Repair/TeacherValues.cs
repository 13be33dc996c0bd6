using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Runtime.Repair;

/// <summary>Inner values of the teacher, picture by picture. They are kept up to a bound; beyond it the teacher runs again each time.</summary>
internal sealed class TeacherValues : IDisposable
{
    private readonly OnnxSession _session;
    private readonly IReadOnlyDictionary<string, string> _outputs;
    private readonly Dictionary<int, IReadOnlyDictionary<string, RuntimeTensor>> _kept = [];
    private readonly long _maxKeptBytes;
    private long _keptBytes;

    private TeacherValues(OnnxSession session, IReadOnlyDictionary<string, string> outputs, long maxKeptBytes)
    {
        _session = session;
        _outputs = outputs;
        _maxKeptBytes = maxKeptBytes;
    }

    /// <summary>How often the teacher really ran.</summary>
    public int Runs { get; private set; }

    /// <param name="teacher">Is changed for a moment, and as it was when the call returns. Must live longer.</param>
    /// <exception cref="InvariantException">The teacher has no such value.</exception>
    public static TeacherValues Open(Model teacher, IEnumerable<string> names, SessionSettings session, long maxKeptBytes)
    {
        using var edit = new TemporaryNodes(teacher, "samcompress_repair");
        Dictionary<string, string> outputs = names.Distinct(StringComparer.Ordinal)
            .ToDictionary(n => n, n => edit.Output(edit.Add("Identity", [edit.Find(n)])), StringComparer.Ordinal);
        return new TeacherValues(OnnxSession.Open(teacher, session), outputs, maxKeptBytes);
    }

    /// <summary>Hands the values of a picture to <paramref name="use"/>, by name.</summary>
    public void Use(int picture, CalibrationSample sample, Action<IReadOnlyDictionary<string, RuntimeTensor>> use, CancellationToken cancellationToken)
    {
        if (_kept.TryGetValue(picture, out IReadOnlyDictionary<string, RuntimeTensor>? kept))
        {
            use(kept);
            return;
        }

        Runs++;
        using RuntimeTensors results = _session.Run(sample.Inputs, [.. _outputs.Values], cancellationToken);
        long bytes = results.Values.Sum(t => t.Count * sizeof(float));
        if (_keptBytes + bytes > _maxKeptBytes)
        {
            use(_outputs.ToDictionary(o => o.Key, o => results[o.Value], StringComparer.Ordinal));
            return;
        }

        _keptBytes += bytes;
        _kept[picture] = _outputs.ToDictionary(o => o.Key, o => results.Detach(o.Value), StringComparer.Ordinal);
        use(_kept[picture]);
    }

    public void Dispose()
    {
        _session.Dispose();
        foreach (RuntimeTensor tensor in _kept.Values.SelectMany(v => v.Values))
            tensor.Dispose();
    }
}
