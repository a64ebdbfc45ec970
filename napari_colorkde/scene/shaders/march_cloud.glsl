// Cloud: light is gathered from front to back, each stretch hiding a part of what lies behind.
vec4 march(vec3 loc, vec3 step, float steps, float stretch)
{
    vec3 light = vec3(0.0);       // what has reached the eye
    float passing = 1.0;          // the share of the light from further behind that still will
    float i = 0.0;
    float next_block = 0.0;       // the step at which the ray comes into another block
    while (i < steps && passing > 0.01) {
        if (i >= next_block) {
            bool empty;
            float alike = steps_alike(loc, step, empty);
            next_block = i + alike;
            if (empty) {
                i += alike;
                loc += step * alike;
                continue;
            }
        }
        float value = value_at(loc);
        float density = abs(value);
        float hidden = density > u_floor ? opacity(density, stretch) : 0.0;
        light += passing * hidden * color_at(loc, value);
        passing *= 1.0 - hidden;
        i += 1.0;
        loc += step;
    }
    // Premultiplied: blended with (one, one minus source alpha).
    return vec4(light, 1.0 - passing);
}
