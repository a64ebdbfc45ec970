// Differences of densities: the sign is the color.
vec3 color_sign(vec3 place, float value)
{
    return mix($negative, $positive, step(0.0, value));
}
