using System.Globalization;

namespace SamCompress.IR;

/// <summary>The value names in use anywhere in a model, and a count of its edits.</summary>
internal sealed class NameTable
{
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _nextNumber = new(StringComparer.Ordinal);

    /// <summary>Grows with every edit of the model.</summary>
    public long EditCount { get; private set; }

    public void Edited() => EditCount++;

    /// <summary>Two branches of If may both use a name, hence a count.</summary>
    public void Take(string name) => _uses[name] = _uses.GetValueOrDefault(name) + 1;

    public void Release(string name)
    {
        if (_uses.GetValueOrDefault(name) <= 1)
            _uses.Remove(name);
        else
            _uses[name]--;
    }

    public string Fresh(string stem)
    {
        if (stem.Length > 0 && !_uses.ContainsKey(stem))
            return stem;
        int number = _nextNumber.GetValueOrDefault(stem, 1);
        string name;
        do
            name = string.Create(CultureInfo.InvariantCulture, $"{stem}_{number++}");
        while (_uses.ContainsKey(name));
        _nextNumber[stem] = number;
        return name;
    }
}
